import type { MixedList } from 'typeorm';
import { Roles1700000000001 } from './0001-roles.js';

/** All migrations in the order in which they run. A class once released is never edited; a change is a new class. */
export const migrations: MixedList<Function> = [Roles1700000000001];
