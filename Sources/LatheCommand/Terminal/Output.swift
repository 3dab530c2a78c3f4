import Glibc
import LatheFiles

// Names of files, classes and attributes are other people's. Nothing but text reaches a terminal.

/// Swift's `print` for this module, with control characters other than line feeds written out.
func print(_ item: Any = "", terminator: String = "\n") {
  Swift.print("\(item)".printableLines, terminator: terminator)
}

/// Writes to standard output or standard error past all buffers. What cannot be written, as after
/// the end of a terminal, is lost.
func send(_ text: String, to descriptor: Int32) {
  var bytes = Array(text.utf8)[...]
  while !bytes.isEmpty {
    let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
    if count < 0 && errno == EINTR { continue }
    guard count > 0 else { return }
    bytes = bytes.dropFirst(count)
  }
}

/// A whole line on standard error, or some.
func writeError(_ line: String) { send(line.printableLines + "\n", to: STDERR_FILENO) }

/// Hands what was printed to whoever reads it; a pipe would keep it until it is full.
func flushOutput() { fflush(nil) }
