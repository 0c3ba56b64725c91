import { CHECKS, step } from './steps.ts'

for (const [name, file, ...args] of CHECKS) if (!(await step(name, file, ...args))) process.exitCode = 1
