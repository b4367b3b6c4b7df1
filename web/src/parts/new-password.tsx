// Choosing a password: the same words and the same answers wherever it is done.

import type { Failure } from '../api/failure';
import { PasswordField } from './field';

interface Props {
  label?: string;
  value: string;
  onValue: (value: string) => void;
  failure: Failure | null;
  isFirst?: boolean;
}

export function isAboutNewPassword(failure: Failure | null): boolean {
  return failure?.code === 'password_weak';
}

export function NewPassword({ label = 'New password', value, onValue, failure, isFirst = false }: Props) {
  const wrong = isAboutNewPassword(failure) && failure ? (failure.issues.length > 0 ? failure.issues : failure.message) : undefined;
  return (
    <PasswordField
      label={label}
      value={value}
      onValue={onValue}
      autoComplete="new-password"
      required
      autoFocus={isFirst}
      hint="At least 8 characters. A few words that do not belong together are easy to keep and hard to guess."
      wrong={wrong}
    />
  );
}
