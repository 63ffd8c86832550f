/** Gives some options narrower types than the schema can: what follows from other options, and functions. */

/** `T` with the types of `Types` where that has one. Maps over `T`, which keeps the doc comments. */
export type Typed<T, Types> = { [Name in keyof T]: Name extends keyof Types ? Types[Name] : T[Name] }
