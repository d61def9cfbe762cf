import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly annotations: { readonly summary: string; readonly runbook: string };
}

/** The rules of infra/prometheus/alerts.yml. */
export function alertRules(): readonly AlertRule[] {
  const { groups } = parse(readFileSync('infra/prometheus/alerts.yml', 'utf8')) as { groups: { rules: AlertRule[] }[] };
  return groups.flatMap(({ rules }) => rules);
}

interface Panel {
  readonly targets?: readonly { readonly expr: string }[];
}

/** The queries of the dashboard. */
export function dashboardQueries(): readonly string[] {
  const { panels } = JSON.parse(readFileSync('infra/grafana/tollway.json', 'utf8')) as { panels: Panel[] };
  return panels.flatMap(({ targets }) => (targets ?? []).map(({ expr }) => expr));
}

/** The metrics of ours that queries name, as /metrics has them: a histogram by its name alone. */
export function metricsOfQueries(queries: readonly string[]): readonly string[] {
  const named = queries.flatMap((query) => query.match(/\btollway_\w+/g) ?? []).map((name) => name.replace(/_(bucket|count|sum)$/, ''));
  return [...new Set(named)].sort();
}

/** The metrics of ours that a text in Prometheus' format has. */
export function metricsOfText(text: string): readonly string[] {
  return [...text.matchAll(/^# TYPE (tollway_\w+) /gm)].map(([, name = '']) => name).sort();
}
