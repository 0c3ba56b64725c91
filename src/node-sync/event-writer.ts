import { createEvent } from '../kubernetes/create-event.ts'
import type { Outcome } from '../remedies/outcome.ts'
import { eventBody, type NodeEvent, remedyEvent } from './events.ts'
import { attemptWrite, type WriterTerms } from './writes.ts'

/** Creates Events about the Node. A lost event is not sent again. */
export interface EventWriter {
  readonly write: (node: string, events: readonly NodeEvent[]) => Promise<void>
  /** Creates an event for each outcome, once. */
  readonly writeOutcomes: (node: string, outcomes: readonly Outcome[]) => Promise<void>
}

export function createEventWriter({ connection, clock, random, listener }: WriterTerms): EventWriter {
  const written = new Set<string>()
  const writeOne = async (node: string, event: NodeEvent, { at, id }: { readonly at: Date; readonly id: string }) => {
    await attemptWrite(listener, { target: 'event', what: event.reason }, () =>
      createEvent(connection, eventBody(event, node, at, id))
    ).catch(() => undefined)
  }
  return {
    write: async (node, events) => {
      for (const event of events) {
        const id = `${clock.now().getTime().toString(16)}${Math.floor(random() * 0xffffff).toString(16)}`
        await writeOne(node, event, { at: clock.now(), id })
      }
    },
    writeOutcomes: async (node, outcomes) => {
      for (const outcome of outcomes) {
        // The name contains the outcome's time, so that after a restart of the agent the API refuses the same event (AlreadyExists).
        const id = `${outcome.remedy}.${Date.parse(outcome.at).toString(16)}`
        const event = remedyEvent(outcome)
        if (event === undefined || written.has(id)) continue
        written.add(id)
        await writeOne(node, event, { at: new Date(outcome.at), id })
      }
    }
  }
}
