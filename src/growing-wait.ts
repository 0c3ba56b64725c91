/** The waits between retries, in milliseconds: each is twice the one before, up to the longest. */
export interface Growth {
  readonly first: number
  readonly longest: number
}

/** How long to wait after so many failures in a row (1 or more), in milliseconds. */
export const growing = ({ first, longest }: Growth, failures: number): number => Math.min(longest, first * 2 ** (failures - 1))

/** The interval, shortened or lengthened by up to a tenth, so that many agents do not act at the same moment. `random` is from 0 to 1. */
export const spread = (interval: number, random: () => number): number => interval * (0.9 + random() * 0.2)
