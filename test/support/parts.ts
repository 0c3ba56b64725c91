import { machineImagePart } from '../machine/image.ts'
import { imagesPart } from '../node/images.ts'
import { bundlePart } from './bundle.ts'
import { debianPart } from './debian.ts'
import { goPart } from './go-build.ts'
import { GO_PROGRAMS } from './go-programs.ts'
import { kindDefinitionsPart } from './kind-definitions.ts'
import type { Part } from './prepare.ts'

/** Everything that the tests need besides npm's packages; what is downloaded from Debian comes first, since others are made with it. */
export async function allParts(): Promise<readonly Part[]> {
  const programs = await Promise.all(Object.values(GO_PROGRAMS).map(goPart))
  return [debianPart, ...programs, kindDefinitionsPart, await machineImagePart(), bundlePart, await imagesPart()]
}
