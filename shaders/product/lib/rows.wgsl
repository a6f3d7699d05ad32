// The blocks of 4 x 4 that the matrix products load, multiply and store, one column of the mat4x4f a row of the block.
// provides: rows_where, store_rows
// needs: Row, Column, STORED_ROWS, store_row

// Replaces the rows that are not real by zeros.
fn rows_where(real: vec4<bool>, block: mat4x4f) -> mat4x4f {
  let none = vec4f(0.0f);
  return mat4x4f(
    select(none, block[0], real.x),
    select(none, block[1], real.y),
    select(none, block[2], real.z),
    select(none, block[3], real.w),
  );
}

// Stores the rows from `first` that exist, by the kernel's store_row; the kernel has STORED_ROWS. It uses `&`, since the branches of `&&`
// in many blocks took SwiftShader's compiler minutes.
fn store_rows(first: u32, exists: bool, row: Row, column: Column, slice: u32, c: mat4x4f) {
  if (STORED_ROWS % 4u == 0u) {
    if (exists & (first < STORED_ROWS)) {
      // unroll
      for (var r = 0u; r < 4u; r++) {
        store_row(row, column, slice, r, c[r]);
      }
    }
  } else {
    // unroll
    for (var r = 0u; r < 4u; r++) {
      if (exists & (first + r < STORED_ROWS)) {
        store_row(row, column, slice, r, c[r]);
      }
    }
  }
}
