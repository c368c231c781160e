// The register of facets: what is done to objects of every kind. Their steps follow an object's own in this order.
import type { FacetReader } from '../kind.js';
import { comments } from './comments.js';
import { defaultPrivileges } from './default-privileges.js';
import { keyTriggers } from './key-triggers.js';
import { owner } from './owner.js';
import { privileges } from './privileges.js';
import { securityLabels } from './security-labels.js';
import { sequenceValues } from './sequence-values.js';

export const facets: readonly FacetReader[] = [owner, keyTriggers, comments, securityLabels, sequenceValues, privileges, defaultPrivileges];
