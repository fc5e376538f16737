// Settings are checked before the engine runs, which would tell of a wrong one only with the first request. A misspelt one would silently do nothing.

import { IiifError } from "./error.js";
import { RULES, type Rule, SERVICE_RULES, type ServiceSettings, type Settings, WORKER_RULES } from "./settings.js";

const invalid = (message: string): IiifError => new IiifError("invalid-argument", 400, message);

/** Settings of images and answers; for a Worker some have narrower bounds. @internal */
export function check(settings: Settings, inWorker = false): void {
  checkAll("setting", settings, inWorker ? { ...RULES, ...WORKER_RULES } : RULES);
  if (settings.maxHeight !== undefined && settings.maxHeight !== "none" && (settings.maxWidth ?? "none") === "none") throw invalid("The setting maxHeight needs maxWidth beside it.");
}

/** Settings of a service. @internal */
export function checkService(settings: ServiceSettings): void {
  checkAll("option", settings, SERVICE_RULES);
  const { prefix = "/iiif/{version}/", versions, publicUrl, allowedOrigins = "*" } = settings;
  const refuse = (name: keyof ServiceSettings, expected?: string): never => {
    const rule = SERVICE_RULES[name] as { text?: string; expected?: string };
    throw invalid(`The option ${name} should be ${expected ?? rule.text ?? rule.expected}.`);
  };
  const holes = prefix.split("{version}").length - 1;
  if (!/^\/(?:[!-~]*\/)?$/.test(prefix) || /[?#%\\"<>^`|]|\/\//.test(prefix) || holes > 1) refuse("prefix");
  if (!holes && versions?.length !== 1) refuse("versions", "exactly one, as the prefix has no {version}");
  if (publicUrl !== undefined && !/^https?:\/\/[^\s?#]+$/.test(publicUrl)) refuse("publicUrl");
  if (allowedOrigins !== "*" && !(Array.isArray(allowedOrigins) && allowedOrigins.length > 0 && allowedOrigins.every(isOrigin))) refuse("allowedOrigins");
}

function isOrigin(text: string): boolean {
  try {
    return new URL(text).origin === text;
  } catch {
    return false;
  }
}

function checkAll(kind: string, given: object, rules: Readonly<Record<string, Rule>>): void {
  for (const [name, value] of Object.entries(given)) {
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined;
    if (!rule) throw invalid(`There is no ${kind} ${name}; there are ${Object.keys(rules).join(", ")}.`);
    const expected = value === undefined ? undefined : misses(rule, value);
    if (expected !== undefined) throw invalid(`The ${kind} ${name} is ${typeof value === "number" ? value : JSON.stringify(value)}, and should be ${expected}.`);
  }
}

/** What a value should be, if it is something else. */
function misses(rule: Rule, value: unknown): string | undefined {
  if (rule === "boolean") return typeof value === "boolean" ? undefined : "true or false";
  if (isList(rule)) return rule.includes(String(value)) ? undefined : `one of ${rule.join(", ")}`;
  if ("list" in rule) return Array.isArray(value) && value.length > 0 && value.every((entry) => rule.list.includes(String(entry))) ? undefined : rule.expected;
  if ("text" in rule) return typeof value === "string" || (Array.isArray(value) && rule.text.includes("list")) ? undefined : rule.text;
  const { whole, least, most, none = false } = rule;
  const fits = typeof value === "number" && value >= least && value <= most && (!whole || Number.isInteger(value));
  return fits || (none && value === "none") ? undefined : `a ${whole ? "whole " : ""}number from ${least} to ${most}${none ? `, or "none"` : ""}`;
}

const isList = (rule: Rule): rule is readonly string[] => Array.isArray(rule);
