import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import './fault-sentences.js';

// Goal: what a schema refuses is told so that whoever reads it knows what to write instead. Method: one schema of every kind that bodies have.

describe('the sentence of a fault', () => {
  it.each<[string, z.ZodType, unknown, string]>([
    ['a choice', z.enum(['up', 'down', 'none']), 'ceil', 'This must be "up", "down" or "none".'],
    ['one value', z.literal('now'), 'later', 'This must be "now".'],
    ['a type', z.string(), 7, 'This must be a text, and is a number.'],
    ['a list', z.array(z.string()), {}, 'This must be a list, and is an object.'],
    ['null', z.boolean(), null, 'This must be true or false, and is null.'],
    ['a whole number', z.int(), 1.5, 'This must be a whole number, and is a number.'],
    ['a choice by a field', z.discriminatedUnion('type', [z.object({ type: z.literal('flat') }), z.object({ type: z.literal('volume') })]), { type: 'tiered' }, 'This must be "flat" or "volume".'],
    ['a choice of kinds', z.union([z.boolean(), z.enum(['day', 'second'])]), 'week', 'This must be true or false, "day" or "second".'],
    ['too little', z.int().min(0), -1, 'This must be at least 0.'],
    ['too much', z.int().max(3650), 9999, 'This must be at most 3650.'],
    ['not above', z.number().gt(0), 0, 'This must be greater than 0.'],
    ['too short', z.string().min(1), '', 'This must have at least 1 character.'],
    ['too long', z.string().max(3), 'abcd', 'This must have at most 3 characters.'],
    ['too many', z.array(z.string()).max(1), ['a', 'b'], 'This must have at most 1 item.'],
    ['its own words', z.string().min(1, 'Give a name.'), '', 'Give a name.'],
  ])('says of %s what to write', (_name, schema, input, sentence) => {
    expect(schema.safeParse(input).error?.issues.map(({ message }) => message)).toEqual([sentence]);
  });

  it('leaves what is missing to be told as such', () => {
    expect(z.object({ key: z.string() }).safeParse({}).error?.issues[0]?.message).toMatch(/received undefined$/);
  });
});
