import LatheDistributed

/// A line on standard error that begins with the program's name, said once under mpirun.
func note(_ line: String) {
  guard Launcher.isRoot else { return }
  writeError("lathe: \(line)")
}

/// A line on standard error for what goes on, but hardly as it was meant.
func warn(_ line: String) { note("warning: \(line)") }

/// Says what something that was asked for under its old name is called now.
func noteRenamed(_ old: String, to new: String) { note("\(old) is now called \(new)") }

/// The value that an option was given under its old name, said to be so; nil if it was not.
func renamedOption<Value>(_ value: Value?, _ old: String, to new: String) -> Value? {
  if value != nil { noteRenamed(old, to: new) }
  return value
}
