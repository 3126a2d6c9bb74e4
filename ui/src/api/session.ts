import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { answer, client } from "./client";
import { keys } from "./queries";
import type { Scope, Session } from "./types";

/** Who sits here, as the server knows them. */
export function useSession() {
  return useQuery({
    queryKey: keys.session,
    queryFn: ({ signal }) => answer(client.GET("/backend/session", { signal })),
  });
}

/** Whether they may do what needs this scope; `admin` is all of them. */
export function may(session: Session | undefined, scope: Scope): boolean {
  return session !== undefined && (session.scopes.includes("admin") || session.scopes.includes(scope));
}

let visitor: Promise<unknown> | undefined;

/**
 * Resolves once this browser has its visitor's cookie. Images belong to the visitor: were several uploaded at once without
 * it, each would get a visitor of its own.
 */
export function visitorKnown(): Promise<unknown> {
  visitor ??= client.GET("/backend/session").catch(() => {
    visitor = undefined;
  });
  return visitor;
}

/** What one may see changes with who one is, so all that was asked before is asked anew. */
export function useSignIn() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (token: string) => answer(client.POST("/backend/session", { body: { token } })),
    onSuccess: () => queries.invalidateQueries(),
  });
}

export function useSignOut() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => answer(client.DELETE("/backend/session")),
    onSuccess: () => queries.invalidateQueries(),
  });
}
