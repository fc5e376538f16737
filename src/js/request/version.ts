/** A version of the Image API; 2 is 2.0 and 2.1. */
export type Version = "1.0" | "1.1" | "2" | "3";

/** A version as it may be given. */
export type VersionLike = Version | 2 | 3;

/** Whether this is 1.0 or 1.1. */
export const isFirst = (version: Version): boolean => version[0] === "1";

/** The version, if it is one. */
export function readVersion(version: unknown): Version | undefined {
  const text = String(version);
  return text === "1.0" || text === "1.1" || text === "2" || text === "3" ? text : undefined;
}
