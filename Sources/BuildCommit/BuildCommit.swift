/// The commit that this build was made from: `0123456789ab`, with a digest of the sources behind it
/// (`0123456789ab.changed-01234567`) if these were changed since, or that digest alone where
/// nothing names a commit (`sources-01234567`).
package func buildCommit() -> String { commitOfSources() }
