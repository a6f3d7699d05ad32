// affine_matrix.   m[r] = a0, a1, a2, b0, b1, b2, by which the pixel (x, y) of a made image is (a0 x + a1 y + a2, b0 x + b1 y + b2) of x
// draws [ROWS, COLUMNS], uniform in [0, 1)   m [ROWS, 6]. One invocation a row.
// With angle t in turns, zooms zx and zy, and shifts sx and sy, about the centre (cx, cy):
//   a0 = zx cos t   a1 = -zx sin t   a2 = cx - a0 cx - a1 cy - sx        b0 = zy sin t   b1 = zy cos t   b2 = cy - b0 cx - b1 cy - sy
// Each of the five is `_LOW` + `_SPAN` u by the draw u in its column; if `_KIND` is 1, it is -1 for u up to 0.5 and else 1; if 2, the whole part.
override ROWS: u32;
override COLUMNS: u32;
override CENTRE_X: f32;
override CENTRE_Y: f32;
const ANGLE_LOW: f32 = 0.0f;
const ANGLE_SPAN: f32 = 0.0f;
const ANGLE_COLUMN: u32 = 0u;
const ANGLE_KIND: u32 = 0u;
const ZOOM_X_LOW: f32 = 1.0f;
const ZOOM_X_SPAN: f32 = 0.0f;
const ZOOM_X_COLUMN: u32 = 0u;
const ZOOM_X_KIND: u32 = 0u;
const ZOOM_Y_LOW: f32 = 1.0f;
const ZOOM_Y_SPAN: f32 = 0.0f;
const ZOOM_Y_COLUMN: u32 = 0u;
const ZOOM_Y_KIND: u32 = 0u;
const SHIFT_X_LOW: f32 = 0.0f;
const SHIFT_X_SPAN: f32 = 0.0f;
const SHIFT_X_COLUMN: u32 = 0u;
const SHIFT_X_KIND: u32 = 0u;
const SHIFT_Y_LOW: f32 = 0.0f;
const SHIFT_Y_SPAN: f32 = 0.0f;
const SHIFT_Y_COLUMN: u32 = 0u;
const SHIFT_Y_KIND: u32 = 0u;

@group(0) @binding(0) var<storage, read> draws: array<f32>;
@group(0) @binding(0) var<storage, read_write> m: array<f32>;

fn parameter(r: u32, low: f32, span: f32, column: u32, kind: u32) -> f32 {
  let u = draws[r * COLUMNS + column];
  let value = low + span * u;
  let whole = select(value, trunc(value), kind == 2u);
  return select(whole, select(1.0f, -1.0f, u <= 0.5f), kind == 1u);
}

@compute @workgroup_size(64)
fn affine_matrix(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let r = linear_index(workgroup, local);
  if (r < ROWS) {
    let angle = parameter(r, ANGLE_LOW, ANGLE_SPAN, ANGLE_COLUMN, ANGLE_KIND);
    let zoom = vec2f(
      parameter(r, ZOOM_X_LOW, ZOOM_X_SPAN, ZOOM_X_COLUMN, ZOOM_X_KIND),
      parameter(r, ZOOM_Y_LOW, ZOOM_Y_SPAN, ZOOM_Y_COLUMN, ZOOM_Y_KIND),
    );
    let shift = vec2f(
      parameter(r, SHIFT_X_LOW, SHIFT_X_SPAN, SHIFT_X_COLUMN, SHIFT_X_KIND),
      parameter(r, SHIFT_Y_LOW, SHIFT_Y_SPAN, SHIFT_Y_COLUMN, SHIFT_Y_KIND),
    );
    // sin t = cos(t - a quarter)
    let turn = cosine_of_turn(vec4f(angle, angle - 0.25f, 0.0f, 0.0f));
    let a = zoom.x * vec2f(turn.x, -turn.y);
    let b = zoom.y * vec2f(turn.y, turn.x);
    m[r * 6u] = a.x;
    m[r * 6u + 1u] = a.y;
    m[r * 6u + 2u] = CENTRE_X - a.x * CENTRE_X - a.y * CENTRE_Y - shift.x;
    m[r * 6u + 3u] = b.x;
    m[r * 6u + 4u] = b.y;
    m[r * 6u + 5u] = CENTRE_Y - b.x * CENTRE_X - b.y * CENTRE_Y - shift.y;
  }
}
