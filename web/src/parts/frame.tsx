// What stands around the pages.

import { useEffect, type ReactNode } from 'react';
import { Link, NavLink } from 'react-router';
import { useAct } from '../act';
import logo from '../logo.svg';
import { signOut, type User } from '../session';
import { FailureNotice } from './notice';

export function useTitle(title: string) {
  useEffect(() => {
    document.title = `${title} · Dango`;
  }, [title]);
}

/** A page for whoever is not quite in: one card in the middle. */
export function Entrance({ title, children, foot }: { title: string; children: ReactNode; foot?: ReactNode }) {
  useTitle(title);
  return (
    <main className="entrance">
      <div className="entrance-brand">
        <img src={logo} alt="" width="40" height="40" />
        <span>Dango</span>
      </div>
      <section className="card">
        <h1>{title}</h1>
        {children}
      </section>
      {foot && <div className="entrance-foot">{foot}</div>}
    </main>
  );
}

/** A page for whoever is in. */
export function Frame({ user, children }: { user: User | null; children: ReactNode }) {
  const act = useAct();
  return (
    <>
      <a className="skip" href="#content">
        Skip to the content
      </a>
      <header className="top">
        <Link to="/" className="brand">
          <img src={logo} alt="" width="28" height="28" />
          <span>Dango</span>
        </Link>
        <nav aria-label="Main">
          <NavLink to="/" end>
            Start
          </NavLink>
          <NavLink to="/settings/account">Account</NavLink>
        </nav>
        {user && (
          <div className="top-who">
            <span className="top-email" title={user.email}>
              {user.email}
            </span>
            <button type="button" className="button-plain" disabled={act.isBusy} onClick={() => void act.run(signOut)}>
              Sign out
            </button>
          </div>
        )}
      </header>
      <main id="content" className="content" tabIndex={-1}>
        <FailureNotice failure={act.failure} />
        {children}
      </main>
    </>
  );
}

/** A part of a page with a heading of its own. */
export function Section({ title, about, children }: { title: string; about?: ReactNode; children: ReactNode }) {
  const id = `section-${title.toLowerCase().replaceAll(/[^a-z]+/g, '-')}`;
  return (
    <section className="card" aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {about && <p className="about">{about}</p>}
      {children}
    </section>
  );
}

export function Waiting({ what }: { what: string }) {
  return (
    <p className="quiet" role="status">
      {what}…
    </p>
  );
}
