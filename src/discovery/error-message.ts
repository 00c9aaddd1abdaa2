/** What an error of `fetch` or of a program means, in a few words. */

/** `fetch failed` says nothing; its cause does. */
export const errorMessage = (error: unknown): string => {
	if (!(error instanceof Error)) return String(error);
	const {cause} = error;
	// Of several addresses behind one name, the last one's failure stands for all.
	const inner = cause instanceof AggregateError ? (cause.errors as readonly unknown[]).at(-1) : cause;
	return inner instanceof Error ? inner.message : error.message;
};
