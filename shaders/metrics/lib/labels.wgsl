// Whether the label of the number e is positive: not 0 in t, by its bits; or, where SPARSE, the class of its row. The class of a row of one
// number (SIZE 1) is 0 or not.
// provides: SPARSE, is_wanted
// needs: SIZE
override SPARSE: bool;
@group(0) @binding(0) var<storage, read> t: array<f32>;
@group(0) @binding(0) var<storage, read> class_of: array<u32>;

fn is_wanted(e: u32) -> bool {
  if (SPARSE) {
    return select(class_of[e / SIZE] == e % SIZE, class_of[e / SIZE] != 0u, SIZE == 1u);
  } else {
    return bitcast<u32>(t[e]) << 1u != 0u;
  }
}
