const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' });

const UNITS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
];

function near(at: Date): string {
  const seconds = (at.getTime() - Date.now()) / 1000;
  const distance = Math.abs(seconds);
  if (distance < 60) return seconds > 0 ? 'in a moment' : 'just now';
  if (distance > 30 * 86_400) return day.format(at);
  const [unit, size] = UNITS.find(([, size]) => distance >= size) ?? ['minute', 60];
  return relative.format(Math.round(seconds / size), unit);
}

/** A time as people say it; the exact one is its title. */
export function Time({ at }: { at: string }) {
  const date = new Date(at);
  return (
    <time dateTime={at} title={exact.format(date)}>
      {near(date)}
    </time>
  );
}
