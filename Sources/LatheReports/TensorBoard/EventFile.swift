import Foundation
import LatheFiles
import SystemPackage

/// A file of events for TensorBoard, `events.out.tfevents.…` in a run's folder.
///
/// The format is that of TensorFlow's `core/lib/io/record_writer.cc`, `util/event.proto` and
/// `framework/summary.proto`; hyperparameters are those of TensorBoard's plugin `hparams`.
public final class EventFile {
  private let file: OpenFile

  /// Begins a new file. For a run that goes on after `step`, readers drop what earlier files have
  /// of later steps.
  ///
  /// - Throws: `FileError.unwritable`.
  public init(folder: FilePath, resumingAt step: Int) throws {
    let (time, random) = (Int(Date().timeIntervalSince1970), UInt64.random(in: 0 ... .max))
    let unique = "lathe.\(getpid()).\(String(random, radix: 36))"
    file = try OpenFile(creating: folder.appending("events.out.tfevents.\(time).\(unique).\(step)"))
    try write(step: nil) { $0.add(3, "brain.Event:2") }
    // A session that starts at a step makes the steps from there on void in earlier files.
    if step > 0 { try write(step: step + 1) { $0.add(7) { log in log.add(1, 1) } } }
  }

  /// Adds numbers of a step by their names.
  public func add(step: Int, _ scalars: [(name: String, value: Double)]) throws {
    try write(step: step) { event in
      event.add(5) { summary in
        for (name, value) in scalars {
          summary.add(1) {
            $0.add(1, name)
            $0.add(2, Float(value))
          }
        }
      }
    }
  }

  /// Adds a picture of a step, from a PNG file.
  ///
  /// - Throws: `FileError` if the file cannot be read or is no PNG file.
  public func add(step: Int, image name: String, png: FilePath) throws {
    let file = try MappedFile(png)
    let bytes = withExtendedLifetime(file) { Array(file.bytes) }
    guard bytes.count > 33, bytes.starts(with: [0x89, 0x50, 0x4e, 0x47]) else {
      throw FileError(.damaged, "no PNG file", path: png)
    }
    func number(_ place: Int) -> Int { bytes[place..<place + 4].reduce(0) { $0 << 8 | Int($1) } }
    try write(step: step) { event in
      event.add(5) { summary in
        summary.add(1) {
          $0.add(1, name)
          $0.add(4) { image in
            image.add(1, number(20))
            image.add(2, number(16))
            image.add(3, 3)
            image.add(4, bytes)
          }
        }
      }
    }
  }

  /// Adds the run's hyperparameters, numbers and words, for TensorBoard's table of runs.
  public func add(hyperparameters: [(name: String, value: JSONValue)]) throws {
    let content = ProtocolBuffer { data in
      data.add(1, 0)
      data.add(3) { session in
        for (name, value) in hyperparameters {
          session.add(1) { entry in
            entry.add(1, name)
            entry.add(2) { Self.add(value, to: &$0) }
          }
        }
        session.add(5, Date().timeIntervalSince1970)
      }
    }
    try write(step: 0) { event in
      event.add(5) { summary in
        summary.add(1) { value in
          value.add(1, "_hparams_/session_start_info")
          // A tensor of type float without elements: the reader asks for one.
          value.add(8) { tensor in
            tensor.add(1, 1)
            tensor.add(2) { _ in }
          }
          value.add(9) { metadata in
            metadata.add(1) { plugin in
              plugin.add(1, "hparams")
              plugin.add(2, content.bytes)
            }
          }
        }
      }
    }
  }

  /// `google.protobuf.Value`.
  private static func add(_ value: JSONValue, to message: inout ProtocolBuffer) {
    switch value {
    case .int(let number): message.add(2, Double(number))
    case .double(let number): message.add(2, number)
    case .bool(let flag): message.add(4, flag ? 1 : 0)
    default: message.add(3, value.text)
    }
  }

  // MARK: Records

  private func write(step: Int?, _ build: (inout ProtocolBuffer) -> Void) throws {
    let event = ProtocolBuffer { event in
      event.add(1, Date().timeIntervalSince1970)
      if let step { event.add(2, step) }
      build(&event)
    }
    try file.append(Self.record(event.bytes))
  }

  /// The length and the data, each with its masked CRC-32C.
  private static func record(_ data: [UInt8]) -> [UInt8] {
    let length = withUnsafeBytes(of: UInt64(data.count).littleEndian) { Array($0) }
    return length + masked(length) + data + masked(data)
  }

  private static func masked(_ data: [UInt8]) -> [UInt8] {
    let crc = castagnoliChecksum(data)
    let masked = (crc >> 15 | crc << 17) &+ 0xa282_ead8
    return withUnsafeBytes(of: masked.littleEndian) { Array($0) }
  }
}

/// CRC-32C, the polynomial of Castagnoli, as RFC 3720 has it.
package func castagnoliChecksum(_ bytes: [UInt8]) -> UInt32 {
  ~bytes.reduce(~UInt32(0)) { castagnoliTable[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] ^ $0 >> 8 }
}

private let castagnoliTable: [UInt32] = (0..<256).map { byte in
  (0..<8).reduce(UInt32(byte)) { crc, _ in crc & 1 == 1 ? crc >> 1 ^ 0x82f6_3b78 : crc >> 1 }
}
