import type { EntityManager } from 'typeorm';
import type { Database } from '#persistence';
import type { InvoicingAdapters } from '../invoicing.module.js';
import type { SweepStep } from '../invoicing-context.js';

export class Died extends Error {}

/**
 * A process that dies at a step: from there on nothing of it reaches the database or the queue, and what its transactions
 * had not committed is gone.
 */
export class MortalProcess {
  isDead = false;
  private reached = 0;

  constructor(private readonly death: { readonly step: SweepStep; readonly time: number }) {}

  adapters(alive: { readonly database: Database; readonly jobs: InvoicingAdapters['jobs'] }): Pick<InvoicingAdapters, 'database' | 'jobs' | 'atStep'> {
    const { database, jobs } = alive;
    const mortal = <T>(run: (work: (manager: EntityManager) => Promise<T>) => Promise<T>, work: (manager: EntityManager) => Promise<T>): Promise<T> => {
      this.assertAlive();
      return run(async (manager) => {
        const result = await work(manager);
        this.assertAlive();
        return result;
      });
    };
    const mortalDatabase = {
      inOrganization: <T>(organizationId: string, work: (manager: EntityManager) => Promise<T>) => mortal<T>((inner) => database.inOrganization(organizationId, inner), work),
      acrossOrganizations: <T>(work: (manager: EntityManager) => Promise<T>) => mortal<T>((inner) => database.acrossOrganizations(inner), work),
    } as Database;
    return {
      database: mortalDatabase,
      jobs: { ...jobs, add: async (queue, added) => (this.assertAlive(), jobs.add(queue, added)) },
      atStep: (step) => {
        if (step === this.death.step) this.reached += 1;
        if (step === this.death.step && this.reached === this.death.time) this.isDead = true;
        this.assertAlive();
      },
    };
  }

  private assertAlive(): void {
    if (this.isDead) throw new Died('The process is dead.');
  }
}
