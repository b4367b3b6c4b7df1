// Which page stands at which address, and who gets to it.

import { BrowserRouter, Navigate, Outlet, Route, Routes, useLocation, useParams } from 'react-router';
import { signInFor } from './addresses';
import { AccountPage } from './pages/account';
import { ChangePasswordPage } from './pages/change-password';
import { DevicePage } from './pages/device';
import { EnrolPage } from './pages/enrol';
import { ForgotPasswordPage } from './pages/forgot-password';
import { InvitePage, ResetPasswordPage } from './pages/links';
import { LoginPage } from './pages/login';
import { NotFoundPage, UnreachablePage } from './pages/nothing';
import { SetUpPage } from './pages/set-up';
import { StartPage } from './pages/start';
import { Frame, Waiting } from './parts/frame';
import { Proofs } from './parts/proof';
import { SignInOff } from './parts/sign-in-off';
import { useSession } from './session';
import { WaysProvider } from './ways';

export function App() {
  return (
    <BrowserRouter>
      <WaysProvider>
        <SignInOff />
        <Proofs>
          <Routes>
            <Route path="/login" element={<LoginPage />} />
            <Route path="/forgot-password" element={<ForgotPasswordPage />} />
            {['/setup', '/invite', '/reset-password'].map((path) => (
              <Route key={path} path={`${path}/:token`} element={<TakeToken to={path} />} />
            ))}
            <Route path="/setup" element={<SetUpPage />} />
            <Route path="/invite" element={<InvitePage />} />
            <Route path="/reset-password" element={<ResetPasswordPage />} />
            <Route element={<Guarded />}>
              <Route path="/change-password" element={<ChangePasswordPage />} />
              <Route path="/enrol" element={<EnrolPage />} />
              <Route element={<Framed />}>
                <Route path="/" element={<StartPage />} />
                <Route path="/device" element={<DevicePage />} />
                <Route path="/settings" element={<Navigate replace to="/settings/account" />} />
                <Route path="/settings/account" element={<AccountPage />} />
              </Route>
            </Route>
            <Route path="*" element={<NotFoundPage />} />
          </Routes>
        </Proofs>
      </WaysProvider>
    </BrowserRouter>
  );
}

/** Takes a link's token out of the address, where others may read it, into what only this entry of the history holds. */
function TakeToken({ to }: { to: string }) {
  const { token } = useParams();
  return <Navigate replace to={to} state={{ token }} />;
}

const STEPS = { 'change-password': '/change-password', enrol: '/enrol' } as const;

/** Lets in who is signed in, after the steps that come first. */
function Guarded() {
  const session = useSession();
  const location = useLocation();
  const here = location.pathname + location.search;
  if (session.state === 'unknown') {
    return (
      <main className="entrance">
        <Waiting what="Looking who you are" />
      </main>
    );
  }
  if (session.state === 'unreachable') return <UnreachablePage failure={session.failure} />;
  const steps = Object.values(STEPS) as string[];
  if (session.state === 'off') return steps.includes(location.pathname) ? <Navigate replace to="/" /> : <Outlet />;
  if (session.state !== 'somebody') return <Navigate replace to={signInFor(here)} />;
  const first = session.step && STEPS[session.step];
  // Where somebody wanted to go comes after the steps.
  const wanted = (location.state as { wanted?: string } | null)?.wanted;
  if (first && location.pathname !== first) {
    return <Navigate replace to={first} state={{ wanted: steps.includes(location.pathname) ? wanted : here }} />;
  }
  if (!first && steps.includes(location.pathname)) return <Navigate replace to={wanted ?? '/'} />;
  return <Outlet />;
}

function Framed() {
  const session = useSession();
  if (session.state !== 'somebody' && session.state !== 'off') return null;
  return (
    <Frame user={session.state === 'somebody' ? session.user : null}>
      <Outlet />
    </Frame>
  );
}
