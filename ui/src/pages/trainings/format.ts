import type { TrainingsText } from "../../text/trainings";

/** A time span as people say it, in the two largest units at most. */
export function duration(seconds: number, text: TrainingsText): string {
  const words = text.trainings.time;
  if (seconds < 59.5) return words.seconds(Math.max(1, Math.round(seconds)));
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return words.minutes(minutes);
  if (minutes < 24 * 60) return words.hours(Math.floor(minutes / 60), minutes % 60);
  const hours = Math.round(minutes / 60);
  return words.days(Math.floor(hours / 24), hours % 24);
}

/** @param share 0 to 1 */
export function percent(share: number, language: string, digits = 1): string {
  return share.toLocaleString(language, { style: "percent", maximumFractionDigits: digits });
}

/** A figure in three digits, for curves whose size nobody knows beforehand. */
export function figure(value: number, language: string): string {
  return value.toLocaleString(language, { maximumSignificantDigits: 3 });
}
