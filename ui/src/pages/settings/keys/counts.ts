import type { Key } from "../../../api/types";

/** Whether a key is still taken. @param now milliseconds since 1970 */
export function counts(key: Pick<Key, "revoked_at" | "expires_at">, now: number): boolean {
  return key.revoked_at === null && (key.expires_at === null || Date.parse(key.expires_at) > now);
}

/** When a key that is made now for so many days ends; null: it does not. */
export function expiryAfter(days: number, now: number): string | null {
  return days === 0 ? null : new Date(now + days * 86_400_000).toISOString();
}
