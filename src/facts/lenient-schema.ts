import * as z from 'zod/mini'
// Configures zod for the whole process.
import '../host/schema.ts'

/**
 * Schemas for objects of the Kubernetes API, of which berth reads a few fields. A field that is missing or has another type is empty, so
 * that one odd field does not hide the others.
 */
export const TEXT = z.catch(z.string(), '')

export const part = <T extends z.core.$ZodShape>(shape: T) => z.pipe(z.transform(orEmpty), z.object(shape))

export const parts = <T extends z.core.$ZodShape>(shape: T) => z.catch(z.array(part(shape)), [])

const orEmpty = (value: unknown) => (typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {})
