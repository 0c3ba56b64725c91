import { ApiError } from '../api-error.ts'
import { METADATA_ONLY } from '../call.ts'
import type { Connection } from '../connection.ts'
import { nodePath } from '../node-path.ts'
import { anotherNode } from './another-node.ts'
import { type DryRun, eventForAnotherNode, labelOutsidePrefix, POLICY_VERSION, patchOfAnotherNode } from './dry-runs.ts'

export interface Guard {
  /** The admission policies refuse what they must refuse. */
  readonly enforced: boolean
  /** What was sent and what the API answered, for people. */
  readonly says: string
}

/**
 * Proves by dry runs that the admission policies refuse the agent what they must: a label outside its prefix on its own Node, through the
 * status; any change of another Node; and an Event about another Node. Each path and each policy is used once, since all agents of a
 * cluster do this. Throws `ApiError` where a request gets no answer.
 */
export async function checkGuard(connection: Connection, name: string, signal: AbortSignal): Promise<Guard> {
  const own = await checkOwnNode(connection, name, signal)
  return own.enforced ? await checkOtherNodes(connection, name, signal) : own
}

/** The first part of the proof, which is one request. Throws `ApiError`. */
export async function checkOwnNode(connection: Connection, name: string, signal: AbortSignal): Promise<Guard> {
  const problem = await firstProblem(connection, [labelOutsidePrefix(nodePath(name, '/status'))], signal)
  return problem === ''
    ? {
        enforced: true,
        says: 'the admission policy refuses a foreign label; the check on another Node follows within 15 minutes'
      }
    : { enforced: false, says: problem }
}

/** The second part. Throws `ApiError`. */
export async function checkOtherNodes(connection: Connection, name: string, signal: AbortSignal): Promise<Guard> {
  const other = await anotherNode(connection, name, signal)
  const onNode = other === undefined ? labelOutsidePrefix(nodePath(name)) : patchOfAnotherNode(nodePath(other))
  const problem = await firstProblem(connection, [onNode, eventForAnotherNode()], signal)
  if (problem !== '') return { enforced: false, says: problem }
  return {
    enforced: true,
    says:
      other === undefined
        ? 'the admission policies refuse a foreign label and an Event about another Node; there is no other Node on which to check more'
        : `the admission policies refuse a foreign label, an Event about another Node and every change of the Node "${other}"`
  }
}

/** What is wrong with the first dry run that is not refused as it must be, or an empty text. */
async function firstProblem(connection: Connection, dryRuns: readonly DryRun[], signal: AbortSignal): Promise<string> {
  for (const dryRun of dryRuns) {
    const problem = problemOf(dryRun, await refusalOf(connection, dryRun, signal))
    if (problem !== '') return problem
  }
  return ''
}

function problemOf({ what, policy }: DryRun, refusal: string): string {
  if (refusal === '') return `the API would ${what}`
  if (!refusal.includes(`ValidatingAdmissionPolicy '${policy}'`)) {
    return `the API does not ${what}, but the refusal is not from the admission policy ${policy}: ${refusal}`
  }
  const version = Number(/berth policy (\d+): /.exec(refusal)?.[1] ?? 1)
  return version >= POLICY_VERSION
    ? ''
    : `the admission policy ${policy} is version ${version}, and this berth expects version ${POLICY_VERSION}: apply manifests/base of this release`
}

/** Why the API refuses, or an empty text when it would accept. */
async function refusalOf(connection: Connection, { call }: DryRun, signal: AbortSignal): Promise<string> {
  const purpose = { action: 'check the admission policy by a dry run', ifNotFound: 'list the Nodes with kubectl get nodes' }
  try {
    await connection.call(purpose, { ...call, accept: METADATA_ONLY, signal })
    return ''
  } catch (error) {
    if (error instanceof ApiError && (error.status === 403 || error.status === 422)) return error.message
    throw error
  }
}
