export function limitsSource(text: string): string;
