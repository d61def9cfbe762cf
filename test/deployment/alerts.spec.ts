import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { alertRules, dashboardQueries, metricsOfQueries } from './watched-metrics.js';

// Goal: whoever is woken finds what to do. Method: rules, pages and the list of metrics are held against each other; that a running
// product tells these metrics is in the scenarios.

const rules = alertRules();
const readme = readFileSync('docs/runbooks/README.md', 'utf8');

describe('alerts', () => {
  it.each(rules.map((rule) => [rule.alert, rule] as const))('%s has its runbook page, which names it and says what to do', (alert, { annotations }) => {
    const page = readFileSync(annotations.runbook, 'utf8');
    expect(page).toContain(`**Alert**: \`${alert}\`.`);
    expect(page).toMatch(/## What to do\n1\. /);
    expect(readme).toContain(`| \`${alert}\` | [${/^# (.+)/.exec(page)?.[1]}](${annotations.runbook.replace('docs/runbooks/', '')}) |`);
  });

  it('have a page each, and no page is left over', () => {
    const pages = readdirSync('docs/runbooks').filter((name) => name !== 'README.md').map((name) => `docs/runbooks/${name}`);
    expect(rules.map(({ annotations }) => annotations.runbook).sort()).toEqual(pages.sort());
  });

  it('name metrics that are listed, as the dashboard does', () => {
    const listed = new Set([...readme.matchAll(/^\| `(tollway_\w+)` \|/gm)].map(([, name]) => name));
    for (const metric of metricsOfQueries([...rules.map(({ expr }) => expr), ...dashboardQueries()])) expect(listed).toContain(metric);
  });
});
