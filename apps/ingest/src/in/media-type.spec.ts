import { describe, expect, it } from 'vitest';
import { isJsonType, isUtf8Charset, parseMediaType } from './media-type.js';

describe('parseMediaType', () => {
  it.each([
    ['application/json', 'application/json', null],
    ['Application/JSON', 'application/json', null],
    ['application/json;charset=utf-8', 'application/json', 'utf-8'],
    ['application/json ; Charset="UTF-8" ; q=1', 'application/json', 'utf-8'],
    ['application/cloudevents-batch+json; version=1; charset=latin1', 'application/cloudevents-batch+json', 'latin1'],
  ])('reads %s', (header, type, charset) => {
    expect(parseMediaType(header)).toEqual({ type, charset });
  });

  it('has nothing to say without a header', () => {
    expect(parseMediaType(undefined)).toBeNull();
    expect(parseMediaType(' ; charset=utf-8')).toBeNull();
  });
});

describe('isUtf8Charset', () => {
  it.each([[null, true], ['utf-8', true], ['utf8', true], ['iso-8859-1', false], ['utf-16', false], ['', false]])('%s: %s', (charset, answer) => {
    expect(isUtf8Charset(charset)).toBe(answer);
  });
});

describe('isJsonType', () => {
  it.each([['application/json', true], ['text/json', true], ['application/vnd.acme.v1+json', true], ['application/jsonp', false], ['text/plain', false], ['+json', false]])('%s: %s', (type, answer) => {
    expect(isJsonType(type)).toBe(answer);
  });
});
