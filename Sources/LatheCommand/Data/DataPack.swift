import ArgumentParser
import LatheDistributed
import LatheData
import Foundation
import SystemPackage

struct DataPack: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pack",
    abstract: "Decodes, crops, resizes and packs pictures into one file.",
    usage: "lathe data pack DATASET [options]",
    discussion: """
      Ranks share the work; the file has the same bytes for any number of ranks:
        mpirun -n 2 lathe data pack celeba --data DIR
      Interrupted, the same command goes on where it stopped.
      """)

  @OptionGroup var options: DataOptions

  @Option(help: "The file to write (default: its place in the cache).")
  var out: String?

  func run() throws {
    let entry = try options.entry()
    guard entry.isPacked else {
      throw CommandFailure.usage("\(entry.name) needs no packing: it is read as it is")
    }
    guard options.packedFile == nil else {
      throw CommandFailure.usage("\(options.dataset) is packed already")
    }
    var job = PackJob(
      entry: entry, place: options.place, cache: options.pictures.cacheFolder)
    job.output = out.map { FilePath($0) }
    job.skipsCorrupt = options.skipCorrupt
    job.isForced = true
    let path = try job.runOnAllRanks()
    if Launcher.isRoot { try describe(path) }
  }

  private func describe(_ path: FilePath) throws {
    let file = try failing { try PackedFile(path) }
    print("\(path): \(grouped(file.count)) images of \(file.shape), \(grouped(file.size)) bytes")
  }
}
