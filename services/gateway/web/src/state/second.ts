import { signal } from "@preact/signals";

let timer: ReturnType<typeof setInterval> | undefined;

/** Counts seconds of real time while anything subscribes to it. Components subscribe through
 * `useEachSecond`. */
export const second = signal(0, {
  watched() {
    timer = setInterval(() => {
      this.value = this.peek() + 1;
    }, 1000);
  },
  unwatched() {
    clearInterval(timer);
  },
});
