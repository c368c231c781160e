// What can be allowed of an untrusted archive: apart from the use case, so that help needs nothing else.
export { type Allowance, allowances } from '../../untrusted/allowance.js';
