import ArgumentParser
import Foundation
import LatheData
import LatheFiles
import SystemPackage

struct DataGet: RootCommand {
  static let configuration = CommandConfiguration(
    commandName: "get",
    abstract: "Fetches a known data set to where training finds it.",
    discussion: """
      Files are fetched by the program curl, compared with their published SHA-256, and put in \
      place together. What was cut short goes on where it stopped. CelebA has to be asked for: the \
      command says where, and checks what you have.
        lathe data get mnist
        lathe data get cifar10 --root /scratch/data     # with LATHE_DATA=/scratch/data
        lathe data get cifar10 --url http://files.lan/cifar10
        lathe data get mnist --print > get-mnist.sh     # for a machine with a network
      """)

  @Argument(help: "The data set: mnist, fashion-mnist, cifar10 or celeba.", completion: .published)
  var dataset: String

  @Option(
    help: "The folder in which that of the data set is made (default: $LATHE_DATA, else data).",
    completion: .directory)
  var root: String?

  @Option(help: "The address of a folder with the files, in place of the published ones.")
  var url: String?

  @Flag(
    name: .customLong("print"),
    help: "Fetch nothing; print a shell script that does, with curl alone.")
  var isPrinted = false

  func validate() throws {
    guard let url, !url.contains(#/^(https?|ftp|file):\/\/./#) else { return }
    throw ValidationError("--url: expected http://…, https://…, ftp://… or file://…, found \(url)")
  }

  func run() throws {
    let entry = try LatheCommand.dataset(named: dataset)
    guard let official = entry.official else {
      throw CommandFailure.usage(
        "\(entry.name) cannot be fetched; expected \(published.joined(separator: ", "))")
    }
    let place = place(of: entry)
    let download = Download(
      official.files, from: url.map { [$0] } ?? official.mirrors, to: place)
    if !isPrinted, let there = try self.there(entry, at: place) {
      return print("\(entry.name) is there, whole: \(there)")
    }
    guard !download.mirrors.isEmpty else { throw try CelebARequest(entry, place).failure() }
    let title = "\(entry.name): \(entry.summary). Terms: \(official.terms)"
    if isPrinted { return print(download.script(title), terminator: "") }
    note(title)
    StopRequest.install(answering: false)
    try download.run()
    print("\(entry.name): \(place)\(hint(entry, place))")
  }

  private func place(of entry: Dataset) -> FilePath {
    (root.map { FilePath($0) } ?? DatasetRegistry.dataRoot ?? "data").appending(entry.name)
  }

  /// Where the whole data set lies already, of the places where it might.
  private func there(_ entry: Dataset, at place: FilePath) throws -> FilePath? {
    let places = root == nil ? entry.places() : [place]
    return try waiting("looking for \(entry.name)") {
      places.first { FileSystem.exists($0) && (try? entry.isWhole(at: $0)) == true }
    }
  }

  /// What training needs to find the folder, if it does not by itself.
  private func hint(_ entry: Dataset, _ place: FilePath) -> String {
    entry.places().contains(place) ? "" : "; train with --data \(place) or LATHE_DATA=\(root ?? "")"
  }
}

/// The data sets that can be fetched or asked for.
private var published: [String] {
  Registered.datasets.datasets.filter { $0.official != nil }.map(\.name)
}

extension CompletionKind {
  fileprivate static let published = custom { _, _, _ in LatheCommand.published }
}

/// CelebA, which its authors give only to those who accept their terms.
private struct CelebARequest {
  private let entry: Dataset
  private let place: FilePath

  init(_ entry: Dataset, _ place: FilePath) { (self.entry, self.place) = (entry, place) }

  /// What to do, and what is there already: 66 if something is missing, 65 if something is wrong.
  func failure() throws -> CommandFailure {
    var (isWrong, states) = (false, [String]())
    for file in entry.official?.files ?? [] {
      let state = try state(of: file)
      isWrong = isWrong || state.isWrong
      states.append("  \(file.name): \(state.words)")
    }
    return CommandFailure(
      description: """
        celeba: its pictures may be used for non-commercial research only, so no program fetches \
        them.
        Accept the terms on https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html, get the files below \
        from the folders Img, Anno and Eval of its Google Drive ("Align&Cropped Images"), put them \
        into \(place), and give this command again: it compares sizes and MD5s. \
        "lathe data verify celeba" decodes every picture. A mirror of your own: --url URL.
        \(states.joined(separator: "\n"))
        """, status: isWrong ? 65 : 66)
  }

  private func state(of file: PublishedFile) throws -> (isWrong: Bool, words: String) {
    guard let path = entry.paths(of: file, at: place).first else {
      return (false, "not there, \(grouped(file.size)) bytes, \(file.digestName) \(file.digest)")
    }
    let difference = try waiting("checking \(file.name)") {
      try failing { try file.difference(of: path) }
    }
    return (difference != nil, difference ?? "right")
  }
}
