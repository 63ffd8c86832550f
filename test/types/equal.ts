/** Fails to compile where the two types are not one: `same<A, B>(true)`. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false
export declare function same<A, B> (yes: Same<A, B>): void
