/** The version of the package: part of every ETag, since another version may make other bytes. The same as in package.json, which a test holds it to. */
export const VERSION = "0.1.0";
