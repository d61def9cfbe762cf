type GroupValues = Readonly<Record<string, string>>;

const escape = '\u241B'; // ␛, which stands for itself when it is doubled.

/** Groups as Postgres can keep them: data of events may hold U+0000 and so may the groups made of it, but no text of Postgres may. */
export function toStoredGroup(group: GroupValues): GroupValues {
  return mapValues(group, (value) => value.replaceAll(escape, escape + escape).replaceAll('\u0000', `${escape}0`));
}

export function fromStoredGroup(group: GroupValues): GroupValues {
  return mapValues(group, (value) => value.replaceAll(/\u241B([\u241B0])/g, (_all, what: string) => (what === '0' ? '\u0000' : escape)));
}

function mapValues(group: GroupValues, map: (value: string) => string): GroupValues {
  return Object.fromEntries(Object.entries(group).map(([name, value]) => [name, map(value)]));
}
