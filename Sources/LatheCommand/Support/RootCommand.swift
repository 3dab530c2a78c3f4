import ArgumentParser

/// A command whose work is rank 0's alone: under a launcher, the other ranks leave at once, so that
/// nothing is printed or written twice.
protocol RootCommand: ParsableCommand {}

/// A command whose figure all ranks of a launcher work on.
protocol SharedFigure: ParsableCommand {}
