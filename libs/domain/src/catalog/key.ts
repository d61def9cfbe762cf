import { z } from 'zod';

/**
 * A key that the user chose: letters, digits and . _ : - after a first letter or digit, at most 100. It never starts like
 * one of our ids, so that a reference is one or the other beyond doubt.
 */
export const keyPattern =
  /^(?!(?:org|key|prod|cus|mtr|feat|plan|price|sub|inv|il|cn|cg|pay|wh|ptn|rsa|evt|dl|job|req|src|adn|sao)_)[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$/;

export const keySchema = z.string().regex(keyPattern, 'A key is 1 to 100 of A–Z a–z 0–9 . _ : - after a first letter or digit, and does not start like an id (plan_, price_ …).');

/** An id or a key. */
export const referenceSchema = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$/, 'This must be the id or the key of an existing object.');

export const nameSchema = z.string().min(1, 'A name has at least one character.').max(200, 'A name has at most 200 characters.').regex(/\S|^$/, 'A name is more than spaces; say what it is.');

export const metadataSchema = z
  .record(z.string().min(1).max(40), z.string().max(500))
  .refine((metadata) => Object.keys(metadata).length <= 50, 'Metadata has at most 50 entries.');
