/** Texts about keys: who the reader is, and how to sign in and out. */
import { translated } from "./language";

export const sessionText = translated(
  {
    title: "Sign in with a key",
    lead: "This server asks for a key. It is sent once; this browser keeps a session in its place.",
    key: "Key",
    help: "Whoever runs the server makes one with",
    command: "vidro keys create --owner NAME",
    signIn: "Sign in",
    signOut: "Sign out",
    owner: (name: string, until: string) => `Signed in as ${name} until ${until}`,
  },
  {
    title: "Entrar com uma chave",
    lead: "Este servidor pede uma chave. Ela é enviada uma vez; no lugar dela, este navegador guarda uma sessão.",
    key: "Chave",
    help: "Quem cuida do servidor cria uma com",
    command: "vidro keys create --owner NOME",
    signIn: "Entrar",
    signOut: "Sair",
    owner: (name: string, until: string) => `Sessão de ${name} até ${until}`,
  },
);
