// Which grammar reads the statements of a step, by the kind of its object and by what the step does. What is not here is code.
import type { CatalogObject, Step } from '../model/catalog.js';
import { addCheck, addIdentity, alterTable, setDefault } from './alter-table.js';
import { createTable } from './create-table.js';
import { foreignKey, index, key } from './keys.js';
import { alterDomain, comment, createComposite, createDomain, createEnum, createSchema } from './objects.js';
import { alterSequence, createSequence, setValue } from './sequence.js';
import type { Grammar } from './statement.js';

const table: Grammar = (reading) => {
  // Where and how it is stored is the server's to choose.
  if (/^SET default_(?:tablespace|table_access_method) = [^;]*$/.test(reading.cursor.text)) return undefined;
  return reading.cursor.isWord('CREATE') ? createTable(reading) : alterTable(reading);
};

const sequence: Grammar = (reading) => {
  if (reading.cursor.isWord('CREATE')) return createSequence(reading);
  return reading.cursor.isWord('TABLE', 1) ? addIdentity(reading) : alterSequence(reading);
};

const inTablespace = (grammar: Grammar): Grammar => {
  return (reading) => (/^SET default_tablespace = [^;]*$/.test(reading.cursor.text) ? undefined : grammar(reading));
};

const definitions: Readonly<Record<string, Grammar>> = {
  schema: createSchema,
  enum: createEnum,
  composite: createComposite,
  domain: (reading) => (reading.cursor.isWord('CREATE') ? createDomain(reading) : alterDomain(reading)),
  'domain-constraint': alterDomain,
  sequence,
  table,
  default: setDefault,
  check: addCheck,
  'not-null': addCheck,
  constraint: inTablespace(key),
  index: inTablespace(index),
  'foreign key': foreignKey,
};

/** Undefined: there is none for what the step does. */
export function grammarFor({ kind }: Pick<CatalogObject, 'kind'>, { facet }: Pick<Step, 'facet'>): Grammar | undefined {
  if (!Object.hasOwn(definitions, kind)) return undefined;
  if (facet === 'comment') return comment;
  if (facet === 'value' && kind === 'sequence') return setValue;
  return facet === 'definition' ? definitions[kind] : undefined;
}
