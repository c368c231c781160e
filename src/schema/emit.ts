// A section of the schema as SQL text for people: to read, to diff, to run with psql when nothing else is at hand. Restores do not
// use it; they send the steps one statement at a time.
import type { Catalog, Section } from '../model/catalog.js';

const titles: Readonly<Record<Section, string>> = {
  'pre-data': 'tidemark: the schema before the rows',
  data: 'tidemark: values of sequences',
  'post-data': 'tidemark: the schema after the rows',
};

/** What the statements rely on; the same as our own sessions set. */
const preamble = [
  'SET statement_timeout = 0',
  'SET lock_timeout = 0',
  'SET standard_conforming_strings = on',
  "SELECT pg_catalog.set_config('search_path', '', false)",
  'SET check_function_bodies = off',
  'SET row_security = off',
  'SET xmloption = content',
  'SET client_min_messages = warning',
  "SET default_tablespace = ''",
  'SET default_table_access_method = heap',
];

export interface EmitOptions {
  /** Letters and digits: wraps the text so that psql runs no backslash command that a hostile source hid in it (CVE-2025-8714). Only
   *  psql from 17.6, 16.10, 15.14, 14.19 on knows it. */
  readonly restrictKey?: string;
}

/** SQL text of one section. Comments are fixed words, never names: a newline in a name would end them (CVE-2025-8715). */
export function emitSection(
  { steps, textEncoding = 'UTF8' }: Pick<Catalog, 'steps' | 'textEncoding'>,
  section: Section,
  { restrictKey }: EmitOptions = {},
): string {
  const lines = [`-- ${titles[section]}`, ''];
  if (restrictKey !== undefined) lines.push(`\\restrict ${restrictKey}`, '');
  lines.push(...[`SET client_encoding = '${textEncoding}'`, ...preamble].map((statement) => `${statement};`));
  let object: number | undefined;
  for (const step of steps) {
    if (step.section !== section || step.statements.length === 0) continue;
    if (step.object !== object) lines.push('');
    object = step.object;
    lines.push(...step.statements.map((statement) => `${statement};`));
  }
  if (restrictKey !== undefined) lines.push('', `\\unrestrict ${restrictKey}`);
  return `${lines.join('\n')}\n`;
}
