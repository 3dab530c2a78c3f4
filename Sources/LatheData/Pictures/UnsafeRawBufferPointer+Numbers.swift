extension UnsafeRawBufferPointer {
  /// The unsigned number of `count` bytes at `offset`; nil if they do not lie whole in the buffer.
  func number(at offset: Int, count: Int, isBigEndian: Bool = true) -> Int? {
    guard let part = part(at: offset, count: count) else { return nil }
    var number = 0
    for place in 0..<count {
      number = number << 8 | Int(part[isBigEndian ? place : count - 1 - place])
    }
    return number
  }

  /// `count` bytes from `offset` on; nil if they do not lie whole in the buffer.
  func part(at offset: Int, count: Int) -> UnsafeRawBufferPointer? {
    guard offset >= 0, count >= 0, offset <= self.count, count <= self.count - offset else {
      return nil
    }
    return UnsafeRawBufferPointer(rebasing: self[offset..<offset + count])
  }
}
