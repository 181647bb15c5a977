import "./sparkline.css";

interface SparklineProps {
  readonly values: readonly number[];
  /** Number of samples that fill the width. */
  readonly length: number;
}

const kWidth = 96;
const kHeight = 22;

/** A small plot of the last values. Hidden from screen readers, which read the figure beside it. */
export function Sparkline({ values, length }: SparklineProps) {
  const top = Math.max(1e-9, ...values);
  const step = kWidth / (length - 1);
  const points = values.map((value, i) => {
    const x = kWidth - (values.length - 1 - i) * step;
    return `${x.toFixed(1)},${(kHeight - 1 - (value / top) * (kHeight - 3)).toFixed(1)}`;
  });
  const first = points[0]?.split(",")[0] ?? "0";
  return (
    <svg class="sparkline" viewBox={`0 0 ${kWidth} ${kHeight}`} aria-hidden="true">
      {points.length > 1 && (
        <>
          <path class="sparkline-area" d={`M${first},${kHeight}L${points.join("L")}V${kHeight}Z`} />
          <polyline class="sparkline-line" points={points.join(" ")} />
        </>
      )}
    </svg>
  );
}
