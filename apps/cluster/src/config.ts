import { z } from 'zod';
import { appNames, type AppName } from '#front';
import { bootstrapKeySetting, listenSettings, portSetting, secretSetting, storeSettings } from '#service';

export type Replicas = Readonly<Record<AppName, number>>;

const replicasMax = 16;

/** aggregator=2,rating=2; one of each app that is not named. */
const replicasSetting = z
  .string()
  .default('')
  .transform((text, context): Replicas => {
    const replicas = Object.fromEntries(appNames.map((app) => [app, 1])) as Record<AppName, number>;
    for (const part of text.split(',').filter((each) => each.trim() !== '')) {
      const [, name = '', count = ''] = /^\s*([a-z-]+)=(\d{1,3})\s*$/.exec(part) ?? [];
      const app = appNames.find((known) => known === name);
      const processes = Number(count);
      if (app === undefined) context.addIssue({ code: 'custom', message: `Say <app>=<processes>, where the app is one of ${appNames.join(', ')}.` });
      else if (processes < 1 || processes > replicasMax) context.addIssue({ code: 'custom', message: `Give from 1 to ${replicasMax} processes of ${app}.` });
      else replicas[app] = processes;
    }
    return replicas;
  });

/** What the cluster takes from the environment for itself; the apps take their own from it too. */
export const clusterConfigSchema = z.object({
  PORT: portSetting.default(4000),
  ...listenSettings,
  KAFKA_PORT: portSetting.default(9092),
  TOLLWAY_REPLICAS: replicasSetting,
  TOLLWAY_DATA_DIR: z.string().min(1).default('./.tollway-cluster'),
  TOLLWAY_BOOTSTRAP_API_KEY: bootstrapKeySetting.optional(),
  TOLLWAY_SECRET: secretSetting.optional(),
  ...storeSettings,
  DATABASE_URL: storeSettings.DATABASE_URL.optional(),
  CLICKHOUSE_URL: storeSettings.CLICKHOUSE_URL.optional(),
});

export type ClusterConfig = z.output<typeof clusterConfigSchema>;

/** `--replicas aggregator=2,rating=2` says it before the environment does. */
export function environmentWith(args: readonly string[], environment: Record<string, string | undefined>): Record<string, string | undefined> {
  const at = args.findIndex((arg) => arg === '--replicas' || arg.startsWith('--replicas='));
  if (at === -1) return environment;
  const given = args[at]?.startsWith('--replicas=') === true ? args[at].slice('--replicas='.length) : (args[at + 1] ?? '');
  return { ...environment, TOLLWAY_REPLICAS: given };
}
