/** A number that nearly surely changes if a byte does: CRC-32, as Python's zlib computes it. */

const TABLE = Uint32Array.from({ length: 256 }, (_, number) => {
  for (let bit = 0; bit < 8; bit++) number = (number >>> 1) ^ (number & 1 ? 0xedb88320 : 0);
  return number;
});

/**
 * @param {Uint8Array} bytes
 * @param {number} before The checksum of the bytes before these, if there are any.
 */
export function crc32(bytes, before = 0) {
  let crc = ~before;
  for (let i = 0; i < bytes.length; i++) crc = (crc >>> 8) ^ TABLE[(crc ^ bytes[i]) & 0xff];
  return ~crc >>> 0;
}
