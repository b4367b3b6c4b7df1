import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app';
import { look } from './session';
import './styles/tokens.css';
import './styles/page.css';
import './styles/forms.css';
import './styles/print.css';

const root = document.getElementById('root');
if (root) {
  void look();
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}
