/** The web address that a text is, and nothing beside it; null where it is something else. */
export function addressIn(text: string | undefined): string | null {
  const address = text?.trim() ?? "";
  if (!/^https?:\/\/\S+$/i.test(address)) return null;
  return URL.canParse(address) ? address : null;
}

/** The same of what somebody typed, who leaves out what browsers leave out. */
export function typedAddress(text: string): string | null {
  const typed = text.trim();
  // A colon before any slash belongs to a scheme; that of a port has digits behind it.
  if (/^[^/]*:(?!\d)/.test(typed)) return addressIn(typed);
  return /^[^/\s]+\.[^/\s]+/.test(typed) ? addressIn(`https://${typed}`) : null;
}
