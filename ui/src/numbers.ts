/** Figures as people read them. */

/** 0.9344 as 93.4 % */
export function percent(share: number, language: string): string {
  return share.toLocaleString(language, { style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1 });
}

/** 0.9344 as .934, as papers write F1. */
export function score(value: number): string {
  return value >= 1 ? "1.00" : value.toFixed(3).replace(/^0/, "");
}

/** A share as points of a hundred with its sign: 0.061 as +6.1 */
export function points(share: number, language: string): string {
  return (share * 100).toLocaleString(language, {
    minimumFractionDigits: 1,
    maximumFractionDigits: 1,
    signDisplay: "exceptZero",
  });
}

/** Bytes with a unit that leaves few digits. */
export function bytes(count: number, language: string): string {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"] as const;
  const step = count < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(count) / 3));
  return (count / 1000 ** step).toLocaleString(language, {
    style: "unit",
    unit: units[step] ?? "byte",
    maximumFractionDigits: step < 2 ? 0 : 1,
  });
}

/** 2263108 as 2,263,108. What formats numbers takes long to make: small ones are the same in all languages. */
export function whole(n: number, language: string): string {
  return n < 1000 ? String(n) : n.toLocaleString(language);
}

/** 2,263,108 as 2.3M */
export function compact(count: number, language: string): string {
  return count.toLocaleString(language, { notation: "compact", maximumFractionDigits: 1 });
}

export function day(date: string, language: string): string {
  return new Date(date).toLocaleDateString(language, { dateStyle: "medium" });
}

export function moment(date: string, language: string): string {
  return new Date(date).toLocaleString(language, { dateStyle: "medium", timeStyle: "short" });
}
