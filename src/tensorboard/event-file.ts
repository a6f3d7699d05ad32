import { PbfWriter } from "pbf";

/** Number under a name, as TensorBoard draws it. */
export interface Scalar {
  readonly tag: string;
  readonly value: number;
}

/** Record of an event file (`tensorboard/compat/proto/event.proto`). */
export interface Event {
  /** Seconds since 1970. */
  readonly wallTime: number;
  readonly step: number;
  /** Version of the file, which its first record has. */
  readonly fileVersion?: string;
  readonly scalars?: readonly Scalar[];
}

/** What a file begins with. */
export const FILE_VERSION = "brain.Event:2";

/** Gives the bytes of an event, as a record of its file. */
export function eventRecord(event: Event): Uint8Array<ArrayBuffer> {
  const pbf = new PbfWriter();
  writeEvent(event, pbf);
  return recordOf(pbf.finish());
}

function writeEvent({ wallTime, step, fileVersion, scalars = [] }: Event, pbf: PbfWriter): void {
  pbf.writeDoubleField(1, wallTime);
  if (step !== 0) pbf.writeVarintField(2, step);
  if (fileVersion !== undefined) pbf.writeStringField(3, fileVersion);
  if (scalars.length > 0) pbf.writeMessage(5, writeSummary, scalars);
}

function writeSummary(scalars: readonly Scalar[], pbf: PbfWriter): void {
  for (const scalar of scalars) pbf.writeMessage(1, writeScalar, scalar);
}

function writeScalar({ tag, value }: Scalar, pbf: PbfWriter): void {
  pbf.writeStringField(1, tag);
  pbf.writeFloatField(2, value);
}

/** Frames data as TensorFlow does: their length, its checksum, the data, their checksum (`tensorflow/core/lib/io/record_writer.cc`). */
function recordOf(data: Uint8Array): Uint8Array<ArrayBuffer> {
  const record = new Uint8Array(16 + data.length);
  const view = new DataView(record.buffer);
  view.setUint32(0, data.length, true);
  view.setUint32(8, maskedCrc(record.subarray(0, 8)), true);
  record.set(data, 12);
  view.setUint32(12 + data.length, maskedCrc(data), true);
  return record;
}

/** Castagnoli's polynomial, its bits in reverse. */
const POLYNOMIAL = 0x82f63b78;

/** CRC-32C of bytes, turned by 15 bits and moved on, so that a checksum of what has checksums in it is sound. */
export function maskedCrc(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? POLYNOMIAL : 0);
  }
  crc = ~crc;
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}
