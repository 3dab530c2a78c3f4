import Foundation
import LatheDistributed

/// Says what something that was asked for under its old name is called now.
func noteRenamed(_ old: String, to new: String) {
  guard Launcher.isRoot else { return }
  FileHandle.standardError.write(Data("lathe: \(old) is now \(new)\n".utf8))
}

/// The value that an option was given under its old name, said to be so; nil if it was not.
func renamedOption<Value>(_ value: Value?, _ old: String, to new: String) -> Value? {
  if value != nil { noteRenamed(old, to: new) }
  return value
}
