// What a person types: a label, the input, a hint, and what is wrong with it beside it.

import { useId, useState, type InputHTMLAttributes, type ReactNode } from 'react';

interface Props extends Omit<InputHTMLAttributes<HTMLInputElement>, 'id' | 'onChange' | 'value'> {
  label: string;
  value: string;
  onValue: (value: string) => void;
  hint?: ReactNode;
  /** What is wrong with it; several things are a list. */
  wrong?: string | readonly string[] | undefined;
  children?: ReactNode;
}

export function Field({ label, value, onValue, hint, wrong, children, ...input }: Props) {
  const id = useId();
  const wrongs = typeof wrong === 'string' ? [wrong] : (wrong ?? []);
  const describedBy = [hint && `${id}-hint`, wrongs.length > 0 && `${id}-wrong`].filter(Boolean).join(' ');
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <div className="input-line">
        <input
          {...input}
          id={id}
          value={value}
          onChange={(event) => {
            onValue(event.target.value);
          }}
          aria-invalid={wrongs.length > 0}
          aria-describedby={describedBy || undefined}
        />
        {children}
      </div>
      {hint && (
        <p id={`${id}-hint`} className="hint">
          {hint}
        </p>
      )}
      <div id={`${id}-wrong`} role="alert" className="wrong">
        {wrongs.map((text) => (
          <p key={text}>{text}</p>
        ))}
      </div>
    </div>
  );
}

/** A password: hidden unless its owner wants to see it. */
export function PasswordField({ autoComplete, ...props }: Omit<Props, 'type' | 'children'>) {
  const [isShown, setShown] = useState(false);
  return (
    <Field {...props} type={isShown ? 'text' : 'password'} autoComplete={autoComplete} spellCheck={false} autoCapitalize="none" maxLength={256}>
      <button
        type="button"
        className="button-plain"
        aria-pressed={isShown}
        aria-label={`Show ${props.label.toLowerCase()}`}
        onClick={() => {
          setShown(!isShown);
        }}
      >
        {isShown ? 'Hide' : 'Show'}
      </button>
    </Field>
  );
}

/** A code of an authenticator app, or a recovery code. */
export function CodeField({ isRecovery = false, ...props }: Omit<Props, 'type' | 'children' | 'label'> & { isRecovery?: boolean }) {
  return isRecovery ? (
    <Field label="Recovery code" className="code-input" autoComplete="off" autoCapitalize="characters" spellCheck={false} placeholder="XXXX-XXXX" maxLength={16} {...props} />
  ) : (
    <Field label="Code from your app" className="code-input" inputMode="numeric" autoComplete="one-time-code" spellCheck={false} placeholder="000000" maxLength={8} {...props} />
  );
}
