/** Where the project lives. A fork sets VITE_PROJECT_SITE when it builds; without one there is no link. */
export const projectSite = import.meta.env.VITE_PROJECT_SITE as string | undefined;
